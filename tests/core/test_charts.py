"""The geometry of the pictures that the server draws."""

from core import charts


def test_money_that_ends_within_the_span_ends_the_bar_there_and_hides_later_marks():
    bar = charts.runway(0.5, [(0.25, "9 Dec"), (0.75, "24 Dec")], first="Today", last="31 Dec", end_text="16 Dec")
    assert (bar.end, bar.is_short, list(bar.marks)) == (50.0, True, [25.0])
    assert [text for _, _, text in bar.ticks] == ["Today", "16 Dec", "9 Dec", "31 Dec"]


def test_money_that_outlasts_the_span_fills_the_bar():
    bar = charts.runway(None, [], first="Today", last="31 Dec", end_text="")
    assert (bar.end, bar.is_short) == (100.0, False)
    assert bar.ticks == [(0.0, "start", "Today"), (100.0, "end", "31 Dec")]


def test_a_text_too_near_to_a_more_important_one_is_left_out():
    bar = charts.runway(0.1, [(0.09, "3 Dec")], first="Today", last="31 Dec", end_text="4 Dec")
    assert list(bar.marks) == [9.0]
    assert [text for _, _, text in bar.ticks] == ["Today", "31 Dec"]


def test_bars_stand_on_one_line_and_what_was_returned_hangs_under_it():
    chart = charts.bars(
        [("1 Dec", (10, 5)), ("2 Dec", (-5, 0))], label="Spent", first="Day", key={"c1": "Plans", "c2": "Use"}, text=str
    )
    above, below = chart.bars
    assert [rect.css for rect in above.rects] == ["c1", "c2"]
    assert all(rect.y < chart.base for rect in above.rects)
    assert [rect.y > chart.base for rect in below.rects] == [True]
    assert list(chart.rows) == [["2 Dec", "-5", "0"], ["1 Dec", "10", "5"]]
