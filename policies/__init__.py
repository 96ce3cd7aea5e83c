"""Policies that every environment must satisfy at each preview and update: rules as functions, and the policy pack."""
