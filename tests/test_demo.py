"""The demo's main job on real data: what it must reach, and what would be too good to be true."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.processes import run
from tests.readme import curls
from tests.servers import served

pytestmark = pytest.mark.slow


def auc(output: str, model: str) -> float:
    found = re.search(rf"{model} version 1.*?AUC (\d\.\d+)", output, re.DOTALL)
    assert found, output
    return float(found[1])


def test_churn_is_predicted_and_not_leaked(demo: tuple[Path, str]) -> None:
    assert 0.85 < auc(demo[1], "rapport-churn") < 0.875


def test_redemption_is_predicted_and_not_leaked(demo: tuple[Path, str]) -> None:
    assert 0.74 < auc(demo[1], "rapport-offers") < 0.87


def test_the_brief_names_ten_with_reasons_and_offers_for_three(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    run(folder, "serving", "import")
    brief = run(folder, "serving", "brief", "--channel", "post")
    assert len(re.findall(r"^ *\d+\. customer \d+: \d+% risk", brief, re.MULTILINE)) == 10
    assert len(re.findall(r"points  \S", brief)) == 30
    assert len(re.findall(r"^    customer \d+$", brief, re.MULTILINE)) == 3
    assert len(re.findall(r"offer \d+: (\d+% likely, brings|expected to bring) \$\d", brief)) >= 3


def test_the_second_time_everything_is_reused(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    assert run(folder, "training", "main", "--if-changed").count("is current") == 2
    assert "already" in run(folder, "serving", "import")


def test_the_curl_lines_of_the_readme_work_when_pasted(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    run(folder, "serving", "import")
    with served(folder / "rapport.toml") as port:
        answers = [json.loads(_pasted(line)) for line in curls(port)]
    churn, offers, recorded = answers
    assert [s["status"] for s in churn["scores"]] == ["in_cohort", "in_cohort", "unknown"]
    assert all(len(s["reasons"]) == 3 for s in churn["scores"][:2])
    held = {rule["rule"] for each in offers["held_back"] for rule in each["rules"]}
    assert held <= {"silence", "frequency"}
    assert {offer["offer_id"] for offer in offers["ranked"]} <= {"15", "20", "21", "22", "23"}
    assert recorded == {"accepted": 1, "duplicates": 0, "rejected": []}


def _pasted(line: str) -> str:
    result = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stdout
