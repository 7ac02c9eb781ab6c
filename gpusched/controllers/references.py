"""Owner references: how an object is marked as another's, and read back.

This file must not know what becomes of an object whose owner is gone.
"""

from gpusched.controllers.protocol import Json


def controller_of(obj: Json) -> Json | None:
    """Return the owner reference that is marked as the controller."""
    owners = obj["metadata"].get("ownerReferences", ())
    return next((dict(owner) for owner in owners if owner.get("controller")), None)


def owner_reference(obj: Json) -> Json:
    """Return the reference with which ``obj`` marks what it controls."""
    return {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "name": obj["metadata"]["name"],
        "uid": obj["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
