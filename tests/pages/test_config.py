"""The server's settings, as Streamlit reads them: an upgrade that drops one (hidden ones too) is noticed here."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib

import pytest

from tests.pages.conftest import ROOT

SETTINGS = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
PROMISED = {  # why each is there stands beside it in config.toml
    "server.address": "127.0.0.1",
    "server.port": 8501,
    "server.headless": True,
    "server.fileWatcherType": "none",
    "server.maxUploadSize": 300,
    "server.enableCORS": True,
    "server.enableXsrfProtection": True,
    "server.enableStaticServing": False,
    "runner.postScriptGC": False,
    "runner.magicEnabled": False,
    "browser.gatherUsageStats": False,
    "client.showSidebarNavigation": False,
    "client.toolbarMode": "viewer",
    "client.showErrorDetails": "type",
    "theme.light.primaryColor": "#1f6f6b",
    "theme.dark.backgroundColor": "#1b2221",
}


def flat(table: dict, prefix: str = "") -> dict[str, object]:
    """`{"server": {"port": 1}}` → `{"server.port": 1}`."""
    found: dict[str, object] = {}
    for name, value in table.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found


@pytest.fixture(scope="module")
def effective() -> dict[str, object]:
    """What a start in this folder finds set, asked in a fresh interpreter; an option Streamlit does not know is missing."""
    code = (
        "import json, sys\nfrom streamlit import config\n"
        "known = config.get_config_options(force_reparse=True)\n"
        "names = json.load(sys.stdin)\n"
        "print(json.dumps({name: config.get_option(name) for name in names if name in known}))"
    )
    names = json.dumps([*flat(SETTINGS), *PROMISED])
    said = subprocess.run([sys.executable, "-c", code], input=names, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(said.stdout)


@pytest.mark.parametrize("name", sorted(flat(SETTINGS)))
def test_a_setting_in_the_file_is_known_and_in_force(name, effective):
    assert name in effective, "Streamlit no longer knows it"
    assert effective[name] == flat(SETTINGS)[name]


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_a_setting_that_something_relies_on_is_as_promised(name, effective):
    assert effective[name] == PROMISED[name]


def test_whoever_may_ask_the_server_is_on_a_list(effective):
    assert set(effective["server.allowedHosts"]) >= {"localhost", "127.0.0.1"}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_have_the_same_colours_set(theme):
    other = "dark" if theme == "light" else "light"
    assert set(flat(SETTINGS["theme"][theme])) == set(flat(SETTINGS["theme"][other]))
