"""The program of every stack: an environment, or a group of services in an environment."""

import pulumi

from infra import environment_stack, group_stack
from infra.environment import Environment
from infra.replacements import create_first

pulumi.runtime.register_stack_transformation(create_first)
here = Environment.current()

if here.group is None:
    environment_stack.declare(here)
else:
    group_stack.declare(here)
