"""JupyterLab's folder in a workspace: the kernel, and that nothing outside is used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kpibook.errors import ParamsError
from kpibook.report import lab

#: What Jupyter itself says of its folders and of the kernel named python3.
ASKED = """
import json
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_core import paths
from IPython.paths import get_ipython_dir
from jupyterlab.commands import get_user_settings_dir, get_workspaces_dir
kernel = KernelSpecManager().get_kernel_spec("python3")
folders = [paths.jupyter_data_dir(), paths.jupyter_config_dir(), paths.jupyter_runtime_dir(), get_ipython_dir()]
folders += [get_user_settings_dir(), get_workspaces_dir()]
print(json.dumps({"argv": kernel.argv, "at": kernel.resource_dir, "folders": folders}))
"""


def test_jupyter_finds_our_kernel_and_keeps_everything_below_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever kernel and folders the user has elsewhere."""
    other = tmp_path / "elsewhere" / "kernels" / "python3"
    other.mkdir(parents=True)
    (other / "kernel.json").write_text('{"argv": ["other"], "display_name": "Other", "language": "python"}')
    for name in (*lab.OTHERS, "JUPYTER_PATH", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    (tmp_path / "work").mkdir()
    env = lab.environment(tmp_path / "work")
    done = subprocess.run([sys.executable, "-c", ASKED], env=env, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    home = tmp_path / "work" / ".jupyter"
    assert found["argv"] == [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    assert found["at"] == str(home / "kpibook" / "kernels" / "python3")
    assert [folder for folder in found["folders"] if not Path(folder).is_relative_to(home)] == []
    assert [p.name for p in (tmp_path / "work").iterdir()] == [".jupyter"]


def test_the_folder_is_the_users_own_and_the_news_are_off(tmp_path: Path) -> None:
    env = lab.environment(tmp_path)
    assert (tmp_path / ".jupyter").stat().st_mode & 0o777 == 0o700
    page = json.loads((tmp_path / ".jupyter" / "config" / "labconfig" / "page_config.json").read_text())
    assert page == {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    assert env["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)


def test_where_it_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / ".jupyter").write_text("mine", encoding="utf-8")
    with pytest.raises(ParamsError) as caught:
        lab.environment(tmp_path)
    told = ".jupyter: JupyterLab's folder cannot be made (File exists)"
    assert str(caught.value) == f"{told} · call kpibook lab in a folder in which you may write"
