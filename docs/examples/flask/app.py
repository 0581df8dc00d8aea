"""A Flask application; libpq's PGHOST, PGUSER, PGDATABASE… lead to its database."""

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from gevent import Timeout
from sqlalchemy import text
from werkzeug.exceptions import GatewayTimeout

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "postgresql+psycopg2://"
app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_size": 10}
db = SQLAlchemy(app)


@app.get("/")
def hello():
    return "hello"


@app.get("/slow")
def slow():
    db.session.execute(text("select pg_sleep(0.3)"))
    return "hello"


@app.get("/limited")
def limited():
    with Timeout(0.3, GatewayTimeout()):  # the server cancels the query, and the session goes on
        db.session.execute(text("select pg_sleep(60)"))
    return "hello"
