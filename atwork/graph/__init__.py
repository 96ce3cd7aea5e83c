"""The topology of environments as a picture: from resources to boxes and arrows, to a layout, to SVG."""
