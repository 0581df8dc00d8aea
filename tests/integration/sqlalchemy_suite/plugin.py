"""SQLAlchemy's own pytest plugin, on databases that have no extensions: an embedded server has none."""

from sqlalchemy.dialects.postgresql import provision as provision
from sqlalchemy.testing.plugin.pytestplugin import *  # noqa: F403
from sqlalchemy.testing.provision import post_configure_engine


@post_configure_engine.for_db("postgresql")  # type: ignore[untyped-decorator]
def install_nothing(url: object, engine: object, follower: object) -> None:
    """Take the place of what creates citext and hstore."""
