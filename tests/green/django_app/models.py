"""Two tables, one of which refers to the other."""

from __future__ import annotations

from django.db import models


class Owner(models.Model):  # type: ignore[misc]
    """With what PostgreSQL is chosen for."""

    name = models.TextField(unique=True)
    balance = models.DecimalField(max_digits=20, decimal_places=6, default=0)
    since = models.DateTimeField(null=True)
    token = models.UUIDField(null=True)
    extra = models.JSONField(null=True)


class Thing(models.Model):  # type: ignore[misc]
    """Belongs to somebody."""

    number = models.IntegerField()
    owner = models.ForeignKey(Owner, models.CASCADE, related_name="things")
