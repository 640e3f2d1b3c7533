"""What Paydown is measured against."""
