"""The Pulumi program: reads one stack's settings and composes the components."""
