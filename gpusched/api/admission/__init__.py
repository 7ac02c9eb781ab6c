"""What the API server changes or refuses because of other objects in the cluster.

Admission takes a decoded, defaulted object and the few cluster objects that matter to it; it holds
no state. The mutating part runs before an object's name is generated, the validating part after the
object itself was found valid.

Source: kubernetes/kubernetes plugin/pkg/admission, kubernetes/apiserver pkg/admission, v1.36.1
"""

from gpusched.api.admission.chain import ClusterObjects, admit, check
from gpusched.api.admission.denied import Denied
from gpusched.api.admission.quota import Charged, charge

__all__ = ["Charged", "ClusterObjects", "Denied", "admit", "charge", "check"]
