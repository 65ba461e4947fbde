"""Copying a FAISS index to a GPU, where there is one, and telling why not."""

from __future__ import annotations

import importlib.metadata
from typing import Any, Literal, NamedTuple

from codeintel_rev.io.faiss_files import load_faiss

UseGpu = Literal["auto"] | bool


class GpuClone(NamedTuple):
    """An index on a GPU, or the reason why there is none."""

    index: Any = None
    resources: Any = None
    """Memory on the device; has to live as long as the index."""
    uses_cuvs: bool = False
    reason: str | None = None
    """Why the index, or cuVS, is not used; ``None`` when everything wanted is."""


def clone_to_gpu(index: Any, wanted: UseGpu) -> GpuClone:
    """Copy ``index`` to the first GPU, with cuVS if that works and without it else."""
    if wanted is False:
        return GpuClone()
    missing = _missing()
    if missing is not None:
        return GpuClone(reason=missing)
    resources, reasons = load_faiss().StandardGpuResources(), []
    for uses_cuvs in (True, False):
        try:
            clone = _clone(index, resources, uses_cuvs=uses_cuvs)
        except (RuntimeError, AttributeError, TypeError) as error:
            first_line = str(error).strip().partition("\n")[0]
            reasons.append(f"{'with' if uses_cuvs else 'without'} cuVS: {first_line}")
        else:
            return GpuClone(clone, resources, uses_cuvs, "; ".join(reasons) or None)
    return GpuClone(reason="; ".join(reasons))


def cuvs_version() -> str | None:
    """Return the version of cuVS that is installed, if any."""
    for name in ("libcuvs-cu13", "libcuvs-cu12", "libcuvs"):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def _missing() -> str | None:
    faiss = load_faiss()
    if not hasattr(faiss, "StandardGpuResources"):
        return "this build of FAISS has no GPU support"
    return None if faiss.get_num_gpus() else "no GPU is visible"


def _clone(index: Any, resources: Any, *, uses_cuvs: bool) -> Any:
    faiss = load_faiss()
    options = faiss.GpuClonerOptions()
    options.use_cuvs = uses_cuvs
    return faiss.index_cpu_to_gpu(resources, 0, index, options)
