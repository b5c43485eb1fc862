import os

INSTALLED_APPS = ["shop.apps.ShopConfig"]
# PGHOST and so on say where.
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"]}}
USE_TZ = True
# Not the place for SnowflakeField: it would be the key of Django's own tables, too, which come before
# the extension. It is in shop/apps.py.
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
