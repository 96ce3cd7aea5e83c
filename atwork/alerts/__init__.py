"""What pages whom, and the tests of alerts."""
