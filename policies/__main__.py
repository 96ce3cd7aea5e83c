"""The policy pack as the engine starts it: `pulumi preview --policy-pack policies`."""

from policies.pack import run

run()
