// The part of WCAG 2.2 AA that a machine can judge on these pages. -> a JSON list of faults, empty where there is none.
() => {
  const faults = [];
  const fault = (rule, element) => faults.push(`${rule}: ${element.outerHTML.slice(0, 160)}`);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = (element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const name = (element) =>
    (element.getAttribute("aria-label") || element.textContent || element.value || "").trim().replace(/\s+/g, " ");

  if (!document.documentElement.lang) fault("the page has a language", document.documentElement);
  if (!document.title.trim()) fault("the page has a title", document.head);
  if (/user-scalable=no|maximum-scale=1\b/.test(document.querySelector("meta[name=viewport]")?.content ?? "user-scalable=no"))
    fault("the page can be zoomed", document.head);
  for (const landmark of ["main", "header", "footer", "h1"])
    if (all(landmark).length !== 1) fault(`there is one <${landmark}>`, document.body);

  const ids = all("[id]").map((element) => element.id);
  for (const element of all("[id]"))
    if (ids.filter((id) => id === element.id).length > 1) fault("ids are unique", element);
  for (const attribute of ["aria-labelledby", "aria-describedby", "for"])
    for (const element of all(`[${attribute}]`))
      for (const id of element.getAttribute(attribute).split(/\s+/))
        if (!document.getElementById(id)) fault(`${attribute} names something`, element);

  let level = 0;
  for (const heading of all("h1, h2, h3, h4, h5, h6")) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) fault("headings skip no level", heading);
    if (!name(heading)) fault("headings say something", heading);
    level = next;
  }

  for (const image of all("img")) if (!image.hasAttribute("alt")) fault("images have an alternative", image);
  for (const element of all("a, button, summary")) if (!name(element)) fault("controls have a name", element);
  for (const element of all("input:not([type=hidden]), select, textarea"))
    if (!element.labels.length && !element.getAttribute("aria-label")) fault("fields have a label", element);
  for (const section of all("section"))
    if (section.hasAttribute("aria-labelledby") && !name(document.getElementById(section.getAttribute("aria-labelledby"))))
      fault("sections are named", section);
  for (const element of all("[tabindex]")) if (element.tabIndex > 0) fault("the order of focus is that of the page", element);

  const targets = new Map();
  for (const link of all("a[href]")) {
    const before = targets.get(name(link));
    if (before && before !== link.href) fault("links of one name lead to one place", link);
    targets.set(name(link), link.href);
  }

  // 2.5.8: 24 by 24 pixels, but for links within a text.
  for (const element of all("button, summary, input:not([type=hidden]), select, .links a, .button, .home")) {
    const box = element.getBoundingClientRect();
    if (shown(element) && (box.width < 24 || box.height < 24)) fault(`targets are 24 pixels high (${box.height})`, element);
  }

  // 1.4.3: 4.5 : 1, and 3 : 1 for large text.
  const luminance = (colour) => {
    const [r, g, b] = colour.map((value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const parsed = (colour) => colour.match(/[\d.]+/g).map(Number);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const [r, g, b, alpha = 1] = parsed(getComputedStyle(at).backgroundColor);
      if (alpha > 0) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.textContent.trim() || !shown(element)) continue;
    const style = getComputedStyle(element);
    const [one, two] = [luminance(parsed(style.color).slice(0, 3)), luminance(ground(element))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) fault(`text stands out (${ratio.toFixed(2)})`, element);
  }
  return JSON.stringify(faults);
}
