"""A person with a browser, as far as plain HTML goes: links, forms, cookies, redirects."""

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.forms, self.text = [], [], []
        self._form = self._link = self._button = None
        self._silent = 0

    def handle_starttag(self, tag, attributes):
        given = {name: value or "" for name, value in attributes}
        if tag in ("script", "style"):
            self._silent += 1
        elif tag == "a" and "href" in given:
            self._link = {"href": given["href"], "text": ""}
            self.links.append(self._link)
        elif tag == "form":
            self._form = {
                "action": given.get("action", ""),
                "method": given.get("method", "get").lower(),
                "fields": {}, "passwords": [], "buttons": [], "text": "",
            }
            self.forms.append(self._form)
        elif tag in ("input", "button") and self._form is not None:
            kind = given.get("type", "submit" if tag == "button" else "text").lower()
            if kind == "submit":
                self._button = {
                    "name": given.get("name"), "value": given.get("value", ""),
                    "text": given.get("value", "") if tag == "input" else "",
                }
                self._form["buttons"].append(self._button)
                if tag == "input":
                    self._button = None
            elif given.get("name") and (kind not in ("checkbox", "radio") or "checked" in given):
                self._add_field(given["name"], given.get("value", ""))
                if kind == "password":
                    self._form["passwords"].append(given["name"])

    def _add_field(self, name, value):
        """Boxes of one name are sent each, so they are kept as a list."""
        fields = self._form["fields"]
        if name in fields:
            earlier = fields[name] if isinstance(fields[name], list) else [fields[name]]
            value = [*earlier, value]
        fields[name] = value

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self._silent = max(0, self._silent - 1)
        elif tag == "form":
            self._form = None
        elif tag == "a":
            self._link = None
        elif tag == "button":
            self._button = None

    def handle_data(self, data):
        if self._silent:
            return
        self.text.append(data)
        for holder in (self._link, self._form, self._button):
            if holder is not None:
                holder["text"] += data


class Browser:
    """Keeps cookies and follows redirects itself, one by one, and stops before `leaves_at`."""

    def __init__(self, leaves_at=None):
        self.session = requests.Session()
        self.leaves_at = leaves_at
        self.trail = []
        self.answer = self.page = None
        self.left_to = None

    @property
    def url(self):
        return self.answer.url

    @property
    def text(self):
        return " ".join(" ".join(self.page.text).split())

    def open(self, url, method="get", data=None):
        """The answer that ends the chain of redirects. `left_to` is where it would have gone."""
        self.left_to = None
        for _ in range(15):
            answer = self.session.request(
                method, url, data=data, allow_redirects=False, timeout=20
            )
            self.answer = answer
            self.trail.append((method, url, answer.status_code))
            if not answer.is_redirect:
                self.page = _Page()
                if "html" in answer.headers.get("content-type", ""):
                    self.page.feed(answer.text)
                return answer
            url = urljoin(url, answer.headers["location"])
            if answer.status_code not in (307, 308):
                method, data = "get", None
            if self.leaves_at and url.startswith(self.leaves_at):
                self.left_to = url
                return answer
        raise AssertionError(f"too many redirects: {self.trail}")

    def press(self, *words):
        """Presses the button or follows the link whose text or target holds one of the words; the
        earlier words are preferred."""
        for word in words:
            for form in self.page.forms:
                for button in form["buttons"]:
                    said = f"{button['text']} {button['value']} {button['name']}".lower()
                    if word in said:
                        return self.submit(form, button)
            for link in self.page.links:
                if word in link["text"].lower():
                    return self.open(urljoin(self.url, link["href"]))
        for word in words:
            for form in self.page.forms:
                said = f"{form['action']} {form['text']} {form['fields']}".lower()
                if word in said:
                    return self.submit(form, (form["buttons"] or [None])[0])
            for link in self.page.links:
                if word in urlsplit(link["href"]).path.lower():
                    return self.open(urljoin(self.url, link["href"]))
        raise AssertionError(f"nothing on {self.url} says any of {words}: {self.text[:500]}")

    def submit(self, form, button=None, **fields):
        data = form["fields"] | fields
        if button and button["name"]:
            data[button["name"]] = button["value"]
        target = urljoin(self.url, form["action"])
        if form["method"] == "post":
            return self.open(target, "post", data)
        return self.open(requests.Request("GET", target, params=data).prepare().url)

    def sign_in(self, url, key):
        """Signs in where the page asks for the admin key: one password field."""
        self.open(url)
        form = next(form for form in self.page.forms if form["passwords"])
        return self.submit(form, (form["buttons"] or [None])[0], **{form["passwords"][0]: key})
