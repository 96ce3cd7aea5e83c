"""The sandbox: the real engine against a simulated Google Cloud, on one machine."""
