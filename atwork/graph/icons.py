"""Icons as SVG paths of strokes, on a square of 16 pixels."""

from __future__ import annotations

from atwork.graph.model import BoxKind

_CYLINDER = (
    "M2.5 3.8c0-1.2 2.5-2 5.5-2s5.5.8 5.5 2-2.5 2-5.5 2-5.5-.8-5.5-2z"
    "M2.5 3.8v8.4c0 1.2 2.5 2 5.5 2s5.5-.8 5.5-2V3.8M2.5 8c0 1.2 2.5 2 5.5 2s5.5-.8 5.5-2"
)
_MEMORY = (
    "M3.5 3.5h9v9h-9zM6.3 6.3h3.4v3.4H6.3zM6 3.5v-2M10 3.5v-2M6 14.5v-2M10 14.5v-2"
    "M3.5 6h-2M3.5 10h-2M14.5 6h-2M14.5 10h-2"
)
_CUBE = "M8 1.5l5.8 3.2v6.6L8 14.5l-5.8-3.2V4.7zM2.2 4.7L8 8l5.8-3.3M8 8v6.5"
_WHEEL = (
    "M8 1.5l5.2 2.5 1.3 5.6-3.6 4.6H5.1L1.5 9.6 2.8 4zM8 5.5v-2.3M10.3 9.3l1.9 1.1M5.7 9.3l-1.9 1.1"
    "M8 10.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z"
)
_GLOBE = (
    "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM1.5 8h13"
    "M8 1.5c2.2 2 2.8 4.2 2.8 6.5S10.2 12.5 8 14.5C5.8 12.5 5.2 10.3 5.2 8S5.8 3.5 8 1.5z"
)
_PERSON = "M8 7.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.5 14.5c0-3 2.3-4.8 5.5-4.8s5.5 1.8 5.5 4.8z"
_KEY = "M5 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM8.5 7.5h6v3M12 7.5v2.2"
_PADLOCK = "M3.5 7.5h9v6.5h-9zM5.3 7.5V5a2.7 2.7 0 0 1 5.4 0v2.5"
_SHIELD = "M8 1.5l5.5 2v4.3c0 3.2-2.3 5.4-5.5 6.7-3.2-1.3-5.5-3.5-5.5-6.7V3.5zM5.5 8l1.8 1.8L10.7 6.3"
_NET = "M5.5 1.5h5v3.5h-5zM1.5 11h5v3.5h-5zM9.5 11h5v3.5h-5zM8 5v3M4 11V8h8v3"
_CYCLE = "M13.5 8A5.5 5.5 0 1 1 11.5 3.8M11.8 1v3h-3M8 5v3.2l2 1.3"
_EXIT = "M6.5 2.5h-4v11h4M6 8h8.5M11.3 4.8L14.5 8l-3.2 3.2"
_GEAR = (
    "M8 10.3a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6zM8 1.5v2.2M8 12.3v2.2M1.5 8h2.2"
    "M12.3 8h2.2M3.4 3.4l1.6 1.6M11 11l1.6 1.6M3.4 12.6L5 11M11 5l1.6-1.6"
)
_FRAME = "M2 5V2h3M11 2h3v3M14 11v3h-3M5 14H2v-3M5.5 5.5h5v5h-5z"
_ENTRY = "M6.5 2h7v12h-7M2 8h8M7.5 5.5L10 8l-2.5 2.5"
_BELL = "M3.5 11.5c1-1 1-2.3 1-4a3.5 3.5 0 0 1 7 0c0 1.7 0 3 1 4zM6.5 13.5h3"
_FOLDER = "M1.5 13.5v-11h4.8l1.5 2h6.7v9z"
_TERMINAL = "M1.5 2.5h13v11h-13zM4 6l2.2 2L4 10M8 10.3h3.5"
_SLIDERS = "M2 4.5h6M12 4.5h2M2 11.5h2M8 11.5h6M8 2.8h4v3.4H8zM4 9.8h4v3.4H4z"

LOCK = _PADLOCK
"""The mark of a box that a deletion guard protects."""

ICONS: dict[BoxKind, str] = {
    "environment": _FOLDER,
    "network": _NET,
    "cluster": _WHEEL,
    "control": _TERMINAL,
    "jenkins": _GEAR,
    "namespace": _FRAME,
    "database": _CYLINDER,
    "redis": _MEMORY,
    "registry": _CUBE,
    "secrets": _PADLOCK,
    "keys": _KEY,
    "backup": _CYCLE,
    "nat": _EXIT,
    "gateway": _ENTRY,
    "alerts": _BELL,
    "images": _SHIELD,
    "project": _SLIDERS,
    "outside": _FOLDER,
}
"""Paths by kind of box."""

OUTSIDE = {"people": _PERSON, "internet": _GLOBE}
"""Paths of `outside` boxes, by the end of their id; other such boxes are environments."""
