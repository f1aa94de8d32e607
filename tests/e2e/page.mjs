// One conversation typed into the stand-in Slack's own page, as a person would.
// node page.mjs URL PICTURE CHROMIUM: prints what could be read on the page as JSON; keeps a picture of it.
import { chromium } from "playwright-core";

const [url, picture, executablePath] = process.argv.slice(2);
const root = process.getuid() === 0;
const quiet = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

// The page has no drawing for rich_text and writes "[rich_text]": it gets the same words as a section.
const run = ({ type, text = "", url, name, style = {} }) => {
  if (type === "link") return `<${url}|${text || url}>`;
  if (type === "emoji") return `:${name}:`;
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
const legible = (block) =>
  block.type === "rich_text"
    ? { type: "section", text: { type: "mrkdwn", text: block.elements.map(part).join("\n") } }
    : block;
const rewrite = (frame) =>
  JSON.stringify(JSON.parse(frame), (key, value) => (key === "blocks" && Array.isArray(value) ? value.map(legible) : value));

const browser = await chromium.launch({ executablePath, args: root ? ["--no-sandbox", ...quiet] : quiet });
try {
  const page = await browser.newPage({ viewport: { width: 1500, height: 1120 }, colorScheme: "light" });
  page.setDefaultTimeout(20_000);
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  await page.routeWebSocket("**/ui", (socket) => {
    const server = socket.connectToServer();
    server.onMessage((frame) => socket.send(rewrite(frame)));
  });
  await page.goto(url);

  const channel = page.locator("main");
  const thread = page.locator(".thread-pane, .thread, aside:has(.thread-head), div:has(> .thread-head)").last();

  const mention = async (pane, words) => {
    const box = pane.locator(".composer-input");
    await box.click();
    await box.pressSequentially("@askpy");
    await pane.locator(".mention-option").first().click();
    await box.press("End");
    await box.pressSequentially(words);
    await box.press("Enter");
  };
  const fromBot = (pane) => pane.locator(".msg:has(.badge-app)");
  const read = async (message) => (await message.locator(".msg-body").innerText()).trim();

  await channel.getByText("general").first().waitFor();
  await mention(channel, "is python frontend?");
  await channel.locator(".thread-summary").first().click();
  await fromBot(thread).nth(0).waitFor();
  await mention(thread, "whats tornaod");
  await fromBot(thread).nth(1).waitFor();

  await channel.locator(".composer-input").click();
  await channel.locator(".composer-input").pressSequentially("/askpy compare flask django");
  await channel.locator(".composer-input").press("Enter");
  const private_ = channel.locator(".msg:has(.badge-eph)");
  await private_.first().waitFor();

  const result = {
    answers: [await read(fromBot(thread).nth(0)), await read(fromBot(thread).nth(1))],
    inThread: await fromBot(thread).count(),
    inChannel: await fromBot(channel).count(),
    private: await read(private_.first()),
    faults,
  };
  const edge = await page.locator(".thread-resize-handle").boundingBox();
  await page.mouse.move(edge.x + edge.width / 2, 400);
  await page.mouse.down();
  await page.mouse.move(edge.x - 220, 400, { steps: 5 });
  await page.mouse.up();
  await page.mouse.move(0, 0);
  await thread.locator(".thread-body").evaluate((body) => body.scrollTo(0, 0));
  await page.screenshot({ path: picture });
  console.log(JSON.stringify(result));
} finally {
  await browser.close();
}
