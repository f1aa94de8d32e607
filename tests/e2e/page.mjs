// One conversation typed into the stand-in Slack's own page, as a person would.
// node page.mjs URL PICTURE CHROMIUM: prints what could be read on the page as JSON; keeps a picture of it.
import { launch, mention, open, threadOf, widen } from "./browser.mjs";

const [url, picture, executablePath] = process.argv.slice(2);
const browser = await launch(executablePath);
try {
  const { page, faults } = await open(browser, url);
  const channel = page.locator("main");
  const thread = threadOf(page);
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
  await widen(page);
  await thread.locator(".thread-body").evaluate((body) => body.scrollTo(0, 0));
  await page.screenshot({ path: picture });
  console.log(JSON.stringify(result));
} finally {
  await browser.close();
}
