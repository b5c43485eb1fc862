from django.db import models


class Customer(models.Model):
    name = models.TextField()


class Order(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="orders")
    note = models.TextField()


class Invoice(models.Model):
    """Had keys from a sequence once, see migrations 0002 and 0003."""

    note = models.TextField()


class Line(models.Model):
    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="lines")
    note = models.TextField()
