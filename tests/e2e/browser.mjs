// A real browser on the stand-in Slack's own page, which then shows what Slack would show: what page.mjs and help.mjs share.
import { chromium } from "playwright-core";

const root = process.getuid() === 0;
const quiet = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
export const launch = (executablePath) =>
  chromium.launch({ executablePath, args: root ? ["--no-sandbox", ...quiet] : quiet });

// The page has no drawing for rich_text and writes "[rich_text]": it gets the same words as a section.
const run = ({ type, text = "", url, name, user_id, channel_id, style = {} }) => {
  if (type === "link") return `<${url}|${text || url}>`;
  if (type === "emoji") return `:${name}:`;
  if (type === "user") return `<@${user_id}>`;
  if (type === "channel") return `<#${channel_id}>`;
  const marks = [style.bold && "*", style.italic && "_", style.strike && "~", style.code && "`"].filter(Boolean);
  const [, before, words, after] = /^(\s*)(.*?)(\s*)$/s.exec(text);
  return words ? before + marks.join("") + words + marks.reverse().join("") + after : text;
};
const part = (element) => {
  if (element.type === "rich_text_list") {
    return element.elements.map((item, at) => (element.style === "ordered" ? `${at + 1}. ` : "• ") + part(item)).join("\n");
  }
  const words = element.elements.map(run).join("");
  if (element.type === "rich_text_preformatted") return "```" + words + "```";
  return element.type === "rich_text_quote" ? words.replace(/^/gm, "> ") : words;
};

// Its inputs have one line: this character stands for a new one.
const NEW_LINE = "⏎";
const legible = (block) => {
  if (block.type === "rich_text") {
    return { type: "section", text: { type: "mrkdwn", text: block.elements.map(part).join("\n") } };
  }
  const begins = block.element?.initial_value;
  return begins ? { ...block, element: { ...block.element, initial_value: begins.replaceAll("\n", NEW_LINE) } } : block;
};
const rewrite = (frame) =>
  JSON.stringify(frame, (key, value) => (key === "blocks" && Array.isArray(value) ? value.map(legible) : value));

// It submits what was typed since the modal was last drawn; Slack also submits what an input began with.
const complete = (frame, view) => {
  for (const { type, block_id, element } of view?.blocks ?? []) {
    if (type !== "input" || element.type !== "plain_text_input") continue;
    const typed = frame.values[block_id]?.[element.action_id]?.value?.replaceAll(NEW_LINE, "\n");
    const value = typed ?? element.initial_value ?? null;
    frame.values[block_id] = { [element.action_id]: { type: element.type, value } };
  }
  return frame;
};

// The page of the stand-in at this address; what went wrong in it; and `hold`, until `release` as long as the page hears of nothing.
export const open = async (browser, url) => {
  const page = await browser.newPage({ viewport: { width: 1500, height: 1120 }, colorScheme: "light" });
  page.setDefaultTimeout(20_000);
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  let held = null;
  let view;
  let send = () => {};
  await page.routeWebSocket("**/ui", (socket) => {
    const server = socket.connectToServer();
    send = (frame) => socket.send(frame);
    server.onMessage((text) => {
      const frame = JSON.parse(text);
      if (frame.t === "view") view = frame.stack.at(-1);
      held ? held.push(rewrite(frame)) : send(rewrite(frame));
    });
    socket.onMessage((text) => {
      const frame = JSON.parse(text);
      server.send(frame.t === "view_submit" ? JSON.stringify(complete(frame, view)) : text);
    });
  });
  await page.goto(url);
  const hold = () => (held = []);
  const release = () => {
    held.forEach(send);
    held = null;
  };
  return { page, faults, hold, release };
};

// Type a message to the bot into a pane, as a person would.
export const mention = async (pane, words) => {
  const box = pane.locator(".composer-input");
  await box.click();
  await box.pressSequentially("@askpy");
  await pane.locator(".mention-option").first().click();
  await box.evaluate(() => new Promise(requestAnimationFrame)); // the page moves the caret in the next frame
  await box.press("End");
  await box.pressSequentially(words);
  await box.press("Enter");
};

export const threadOf = (page) => page.locator(".thread-pane");

// Pull the edge of the thread to the left, so that it is wide enough for an answer.
export const widen = async (page) => {
  const edge = await page.locator(".thread-resize-handle").boundingBox();
  await page.mouse.move(edge.x + edge.width / 2, 400);
  await page.mouse.down();
  await page.mouse.move(edge.x - 220, 400, { steps: 5 });
  await page.mouse.up();
  await page.mouse.move(0, 0);
};
