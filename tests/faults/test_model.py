from __future__ import annotations

from tests.faults.model import LivingRepository, effort

TestLivingRepository = LivingRepository.TestCase
TestLivingRepository.settings = effort(examples=6, steps=14)
