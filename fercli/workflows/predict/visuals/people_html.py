"""The people of videos as a part of the report: a card each, with a picture and a timeline of expressions."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from fercli.core.text import clock, format_count
from fercli.workflows.predict.visuals.markup import escape, format_percent, isolate, join_lines
from fercli.workflows.predict.visuals.people import FilmPeople, Person
from fercli.workflows.predict.visuals.plan import printable_path


def render_people(films: Sequence[FilmPeople], palette: Mapping[str, str]) -> str:
    """All videos, one below the other. `palette` has the colour of each label."""
    shown = {span.label for film in films for person in film.people for span in person.spans}
    legend = [
        f'<li><span class="chip" style="background:{colour}"></span>{isolate(label)}</li>'
        for label, colour in palette.items()
        if label in shown
    ]
    return (
        "<p>The people who are longest in view come first. Each picture is the clearest one of the expression that the "
        "person showed most often. People are followed, not recognised: whoever was out of sight for a while, or comes "
        "back after a cut, gets a new number.</p>\n"
        f'<ul class="legend" aria-label="colours of the expressions">\n{join_lines(legend)}</ul>\n'
        + "\n".join(_render_film(film, palette) for film in films)
    )


def _render_film(film: FilmPeople, palette: Mapping[str, str]) -> str:
    number = format_count(len(film.people) + film.more, "person", "people")
    cards = [_render_person(person, film, palette) for person in film.people]
    rest = []
    if film.more:
        rest.append(f"{format_count(film.more, 'more person is', 'more people are')} not shown.")
    if film.brief:
        brief = format_count(film.brief, "face was", "faces were")
        rest.append(f"{brief} in view only briefly, for less than about a second.")
    line = f'<p class="faint">{" ".join(rest)}</p>' if rest else ""
    axis = f"<span>{clock(film.first)}</span><span>{clock(film.last)}</span>"
    return (
        f'<h3 title="{escape(printable_path(film.source))}">{isolate(PurePath(printable_path(film.source)).name)}: '
        f'{number}</h3>\n<ul class="people">\n{join_lines(cards)}</ul>\n'
        + (f'<p class="axis" aria-hidden="true">{axis}</p>\n' if cards else "")
        + line
    )


def _render_person(person: Person, film: FilmPeople, palette: Mapping[str, str]) -> str:
    track = person.track
    picture = '<span class="unseen">seen in an earlier run</span>'
    if person.picture is not None:
        data = base64.b64encode(person.picture).decode("ascii")
        alt = f"person {track.track}, {track.label}"
        picture = f'<img width="96" height="96" alt="{escape(alt)}" src="data:image/jpeg;base64,{data}">'
    fractions = ", ".join(
        f"{isolate(label)} {format_percent(count / track.frames)}" for label, count in track.labels.most_common()
    )
    in_view = f"{person.in_view:.1f} s" if person.in_view < 60 else clock(person.in_view)
    times = f"in view for {in_view}, from {clock(track.first, True)} to {clock(track.last, True)}"
    return (
        f"<li>{picture}<div><strong>Person {track.track}: {isolate(track.label)}</strong>"
        f'<span class="faint">{times}</span><span class="faint">{fractions}</span></div>'
        f"{_draw_timeline(person, film, palette)}</li>"
    )


def _draw_timeline(person: Person, film: FilmPeople, palette: Mapping[str, str]) -> str:
    """A strip as long as the video, coloured where the person is seen. The text beside it has the same in figures."""
    unit = 1000 / max(film.last - film.first, 1e-3)
    bars = []
    for span in person.spans:
        end = min(span.end, film.last)
        extent = f'x="{unit * (span.start - film.first):.1f}" width="{unit * (end - span.start):.1f}" height="10"'
        title = f"{escape(span.label)} {clock(span.start, True)} to {clock(end, True)}"
        bars.append(f'<rect {extent} fill="{palette[span.label]}"><title>{title}</title></rect>')
    return f'<svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">{"".join(bars)}</svg>'
