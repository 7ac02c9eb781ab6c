"""Cells that several tables share."""

from gpusched.kubectl.fields import JsonObject, rows
from gpusched.kubectl.table import Column

NAME = Column("Name", is_name=True)
AGE = Column("Age")
TEMPLATE = (Column("Containers", wide=True), Column("Images", wide=True))
SELECTOR = Column("Selector", wide=True)


def template_cells(obj: JsonObject) -> list[str]:
    """Return names and images of the containers in an object's pod template."""
    containers = rows(obj, "spec", "template", "spec", "containers")
    return [
        ",".join(container.get(key, "") for container in containers) for key in ("name", "image")
    ]
