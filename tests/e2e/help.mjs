// What people do on the stand-in Slack's own page, one step a line of the input: ["press", "main", "Answer"].
// node help.mjs URL CHROMIUM: after each step prints a line of JSON: {"seen": what the step has read}, or {"fault": why it failed}.
import { createInterface } from "node:readline";
import { launch, mention, open, threadOf, widen } from "./browser.mjs";

const [url, executablePath] = process.argv.slice(2);
const browser = await launch(executablePath);
try {
  const { page, faults, hold, release } = await open(browser, url);
  const panes = { main: page.locator("main .messages"), thread: threadOf(page), modal: page.locator(".modal") };
  const message = (words) => panes.main.locator(".msg", { hasText: words }).last();
  const button = (pane, label) => panes[pane].getByRole("button", { name: label, exact: true }).last();
  const field = (label) => panes.modal.locator(".bk-input").filter({ has: page.getByText(label, { exact: true }) }).locator("input");

  const steps = {
    be: (name) => page.locator(".actas select").selectOption({ label: name }),
    channel: (name) => page.locator(".sidebar-item", { hasText: name }).first().click(),
    mention: (words) => mention(page.locator("main"), words),
    async thread(words) {
      await message(words).locator(".thread-summary").click();
      await widen(page);
    },
    press: (pane, label) => button(pane, label).click(),
    pressTwice: (pane, label) => button(pane, label).dblclick(),
    follow: (words) => panes.thread.getByRole("link", { name: words }).last().click(),
    title: () => page.locator(".channel-title").innerText(),
    type: (label, words) => field(label).fill(words),
    typed: (label) => field(label).inputValue(),
    // What a pane shows as soon as it says `until`; in the channel or a thread, its last message that says so.
    async read(pane, until) {
      const place = pane === "modal" ? panes.modal : panes[pane].locator(".msg", { hasText: until }).last();
      await place.filter({ hasText: until }).waitFor();
      return (await place.innerText()).trim();
    },
    count: (pane, words) => panes[pane].locator(".msg", { hasText: words }).count(),
    async picture(path) {
      await page.mouse.move(0, 0);
      for (const pane of await page.locator(".messages, .thread-body").all()) {
        await pane.evaluate((each) => each.scrollTo(0, each.scrollHeight));
      }
      await page.screenshot({ path });
    },
    hold: async () => hold(),
    release: async () => release(),
    faults: async () => faults,
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const [name, ...rest] = JSON.parse(line);
    try {
      console.log(JSON.stringify({ seen: (await steps[name](...rest)) ?? null }));
    } catch (error) {
      const shown = await page.locator("body").innerText();
      console.log(JSON.stringify({ fault: `${error}\nThe page shows:\n${shown}` }));
    }
  }
} finally {
  await browser.close();
}
