"""``dmft plot`` draws what a saved result draws itself, and refuses what is no result."""

from pathlib import Path

import pytest

import dmft
from dmft.cli import main

RESULTS = {
    "solution.json": lambda: dmft.solve("vanilla", g=2),
    "curve.csv": lambda: dmft.boundary("gated", "fixed-points", alpha_r=[0, 5, 10]),
    "phase.json": lambda: dmft.phase("vanilla-erf", statics=True, g=[0.5, 1.5], input_x=[0, 1]),
    "scan.csv": lambda: dmft.scan("vanilla", g=[0.5, 1.5], workers=1),
}


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_a_saved_result_is_drawn_as_it_draws_itself(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = RESULTS[name]()
    result.save(tmp_path / name)
    result.plot(tmp_path / "direct.png")
    figures = [tmp_path / "again.png", tmp_path / "again.svg"]
    assert main(["plot", str(tmp_path / name), "-o", str(figures[0]), "-o", str(figures[1])]) == 0
    assert capsys.readouterr().out.split() == [str(figure) for figure in figures]
    assert figures[0].read_bytes() == (tmp_path / "direct.png").read_bytes()
    assert b"<svg" in figures[1].read_bytes()


def test_the_figure_lies_beside_the_file(tmp_path: Path) -> None:
    dmft.solve("vanilla", g=2).save(tmp_path / "a.json")
    assert main(["plot", str(tmp_path / "a.json")]) == 0
    assert (tmp_path / "a.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing.json"], "is not a file"),
        (["a.txt"], "suffix"),
        (["damaged.json"], "damaged.json"),
        (["good.json", "-o", "figure.bmp"], ".pdf"),
        (["good.json", "-o", "b.png", "-o", "b.png"], "twice"),
        (["good.json", "-o", "nowhere/b.png"], "folder"),
    ],
)
def test_bad_input_is_one_line_and_2(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("damaged.json").write_text('{"schema": ')
    dmft.solve("vanilla", g=0.5).save("good.json")
    assert main(["plot", *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("dmft: ") and error.count("\n") == 1 and said in error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["damaged.json", "good.json"]
