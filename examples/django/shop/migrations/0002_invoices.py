"""Invoices as many projects have them: keys of a sequence, of 32 bits, and rows."""

import django.db.models.deletion
from django.db import migrations, models


def fill(apps, schema_editor):
    Invoice = apps.get_model("shop", "Invoice")
    Line = apps.get_model("shop", "Line")
    for n in range(1, 4):
        Line.objects.create(invoice=Invoice.objects.create(note=f"invoice {n}"), note="line")


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.CreateModel("Invoice", fields=[
            ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("note", models.TextField()),
        ]),
        migrations.CreateModel("Line", fields=[
            ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("note", models.TextField()),
            ("invoice", models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="shop.invoice")),
        ]),
        migrations.RunPython(fill),
    ]
