"""The topology of environments as a picture: from resources to boxes and arrows, to places, to SVG."""
