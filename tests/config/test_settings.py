"""Settings come from defaults, a file and the environment, and mistakes are told together."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from codeintel_rev.config.settings import (
    EMBEDDED_MODEL,
    EmbeddingConfig,
    Setting,
    Settings,
    all_settings,
    load_settings,
)
from codeintel_rev.errors import SettingsError

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
ROW = re.compile(r"^\| `([A-Z0-9_]+)` \| `([a-z0-9_.]+)` \| (.+?) \|", re.MULTILINE)


def toml(folder: Path, text: str) -> Path:
    file = folder / "codeintel.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_configuration_the_embedded_model_is_selected() -> None:
    settings = load_settings({})
    assert settings == Settings()
    assert settings.embedding == EMBEDDED_MODEL
    assert (settings.embedding.provider, settings.embedding.vec_dim) == ("static", 0)


def test_an_embedding_contract_made_bare_has_the_named_model_and_its_length() -> None:
    config = EmbeddingConfig()
    assert (config.model_id, config.vec_dim) == ("nomic-ai/nomic-embed-text-v1.5", 2560)


def test_the_environment_wins_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    file = toml(tmp_path, "[answer]\nmax_input_tokens = 1000\nmax_output_tokens = 50\n")
    settings = load_settings({"ANSWER_MAX_INPUT_TOKENS": "2000"}, file)
    assert settings.answer.max_input_tokens == 2000
    assert settings.answer.max_output_tokens == 50
    assert settings.answer.max_query_chars == Settings().answer.max_query_chars


def test_a_file_is_found_where_the_environment_says(tmp_path: Path) -> None:
    file = toml(tmp_path, "[search]\nlimit = 3\n")
    assert load_settings({"CODEINTEL_CONFIG": str(file)}).search.limit == 3
    usual = tmp_path / "codeintel"
    usual.mkdir()
    toml(usual, "[search]\nlimit = 4\n")
    assert load_settings({"XDG_CONFIG_HOME": str(tmp_path)}).search.limit == 4


def test_a_file_in_the_current_folder_is_not_picked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml(tmp_path, "[search]\nlimit = 3\n")
    monkeypatch.chdir(tmp_path)
    assert load_settings({}).search.limit == 10


def test_a_part_of_a_section_keeps_the_rest_of_its_defaults(tmp_path: Path) -> None:
    settings = load_settings({}, toml(tmp_path, "[embedding]\nnormalize = true\n"))
    assert settings.embedding == EMBEDDED_MODEL


def test_an_empty_variable_counts_as_unset() -> None:
    assert load_settings({"SEARCH_LIMIT": "", "CODEINTEL_DATA_DIR": ""}) == Settings()


def test_a_leading_tilde_is_the_home_folder(tmp_path: Path) -> None:
    settings = load_settings({}, toml(tmp_path, 'data_dir = "~/index"\n'))
    assert settings.data_dir == Path.home() / "index"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        load_settings({}).search.limit = 3  # type: ignore[misc]


def test_all_bad_values_are_told_in_one_error(tmp_path: Path) -> None:
    file = toml(tmp_path, "data_dir = 7\n[answer]\nmax_input_tokens = 0\n")
    env = {
        "INDEX_WORKERS": "many",
        "ANSWER_CONFIDENCE_THRESHOLD": "nan",
        "EMBEDDING_PROVIDER": "crystal ball",
    }
    with pytest.raises(SettingsError) as caught:
        load_settings(env, file)
    message = caught.value.message
    assert "INDEX_WORKERS is 'many'" in message
    assert "ANSWER_CONFIDENCE_THRESHOLD is 'nan'" in message
    assert "EMBEDDING_PROVIDER is 'crystal ball': expected 'static'" in message
    assert f"data_dir in {file} is 7" in message
    assert f"max_input_tokens in [answer] of {file} is 0" in message
    assert "\n" not in message


@pytest.mark.parametrize("value", ["inf", "nan", "0", "-1", "1e300"])
@pytest.mark.parametrize("name", ["SERVER_DRAIN_TIMEOUT_S", "ANSWER_TIME_BUDGET_MS"])
def test_a_time_is_one_that_passes(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is '{value}'"):
        load_settings({name: value})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[answer]\nmax_input_token = 1\n", "(did you mean answer.max_input_tokens?)"),
        ("[anser]\nmax_input_tokens = 1\n", "anser (did you mean [answer]?)"),
        ("answer = 3\n", "answer (did you mean [answer]?)"),
        ("dta_dir = '/x'\n", "(did you mean data_dir?)"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest_one(
    tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(SettingsError, match="sets what does not exist") as caught:
        load_settings({}, toml(tmp_path, text))
    assert told in caught.value.message


def test_a_file_that_is_named_must_be_there_and_be_toml(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings({"CODEINTEL_CONFIG": str(tmp_path / "absent.toml")})
    with pytest.raises(SettingsError, match="no TOML"):
        load_settings({}, toml(tmp_path, "limit: 3"))


@pytest.mark.parametrize(
    "config",
    [
        EmbeddingConfig(model_id="other", vec_dim=256),
        EmbeddingConfig(model_id="static", vec_dim=768),
        EmbeddingConfig(model_id="static", vec_dim=256, normalize=False),
    ],
)
def test_a_model_that_breaks_the_contract_is_refused(config: EmbeddingConfig) -> None:
    with pytest.raises(SettingsError, match="EMBEDDING_"):
        config.require("static", 256)
    EMBEDDED_MODEL.require("static", 256)


def test_every_setting_is_documented_with_its_default_and_nothing_else_is() -> None:
    documented = {
        variable: (name, default)
        for variable, name, default in ROW.findall(PAGE.read_text(encoding="utf-8"))
    }
    existing = {s.variable: (written(s), shown(s)) for s in all_settings()}
    assert documented == existing


def written(setting: Setting) -> str:
    return f"{setting.section}.{setting.name}" if setting.section else setting.name


def shown(setting: Setting) -> str:
    if setting.default in (None, ""):
        return "unset"
    if isinstance(setting.default, bool):
        return f"`{str(setting.default).lower()}`"
    return f"`{setting.default}`".replace(str(Path.home()), "~")
