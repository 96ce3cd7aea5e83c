"""The topology of environments as a picture: from resources to boxes and arrows, to places, to SVG."""

from atwork.graph.draw import draw, for_reports
from atwork.graph.resources import Resource, of_state

__all__ = ["Resource", "draw", "for_reports", "of_state"]
