"""What a browser would send of a page's form, without a browser."""

from html.parser import HTMLParser

__all__ = ["form_values"]

Values = dict[str, list[str]]


class Form(HTMLParser):
    """Reads the first form of class `edit-form`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.values: Values = {}
        self.is_inside = False
        self.textarea: str | None = None
        self.select: str | None = None
        self.options: list[tuple[str, bool]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        name, value = found.get("name"), found.get("value")
        if tag == "form":
            self.is_inside = "edit-form" in (found.get("class") or "")
        elif not self.is_inside:
            return
        elif tag == "input" and name:
            if found.get("type") not in ("checkbox", "radio") or "checked" in found:
                self.values.setdefault(name, []).append(value or "")
        elif tag == "textarea" and name:
            self.textarea, self.text = name, ""
        elif tag == "select" and name:
            self.select, self.options = name, []
        elif tag == "option" and self.select:
            self.options.append((value or "", "selected" in found))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_inside = False
        elif tag == "textarea" and self.textarea:
            # HTML, 4.10.11 and 13.1.2.5: a first line break is not part of the text; lines are sent with CR LF.
            text = self.text.removeprefix("\n").replace("\n", "\r\n")
            self.values.setdefault(self.textarea, []).append(text)
            self.textarea = None
        elif tag == "select" and self.select:
            chosen = [value for value, is_chosen in self.options if is_chosen] or [v for v, _ in self.options[:1]]
            self.values.setdefault(self.select, []).extend(chosen)
            self.select = None

    def handle_data(self, data: str) -> None:
        if self.textarea:
            self.text += data


def form_values(page: str) -> Values:
    reader = Form()
    reader.feed(page)
    reader.close()
    return reader.values
