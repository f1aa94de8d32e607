// One picture: a message, a Home tab, a modal or a terminal in a plain frame. window.show(scene, theme) draws it.
import "slack-blocks-to-jsx/dist/style.css";
import "./page.css"; // after it: page.css has the last word
import { createRoot } from "react-dom/client";
import { flushSync } from "react-dom";
import { Message } from "slack-blocks-to-jsx";

const BOT = "AskPy";
const PERSON = "Mia Berg";
const NAMES = {
  users: [{ id: "U1", name: PERSON }, { id: "U2", name: "Lea Wolf" }],
  channels: [{ id: "C1", name: "python" }, { id: "C2", name: "newcomers" }, { id: "C3", name: "ask-a-person" }],
};

// In mrkdwn that is verbatim Slack draws <url|label> as a link all the same; the library doesn't, so it isn't told.
// Nor does it draw what a menu begins with, so that stands in its placeholder's place.
const begun = (menu) => ({ ...menu, placeholder: menu.initial_option.text });
const told = (key, value) => (key === "verbatim" ? undefined : value?.initial_option ? begun(value) : value);
const drawable = (blocks) => JSON.parse(JSON.stringify(blocks, told));

const Blocks = ({ blocks, theme }) => (
  <Message blocks={drawable(blocks)} theme={theme} name={BOT} logo="" withoutWrapper data={NAMES} />
);

const Row = ({ who, app, time, children, whisper }) => (
  <div className={whisper ? "row whisper" : "row"}>
    <div className={app ? "face app" : "face"}>{who[0]}</div>
    <div className="said">
      {whisper && <div className="only">Only visible to you</div>}
      <div className="who">
        <b>{who}</b>
        {app && <span className="tag">APP</span>}
        <time>{time}</time>
      </div>
      {children}
    </div>
  </div>
);

const Conversation = ({ scene, theme }) => {
  const whisper = scene.surface === "command" || scene.surface === "why";
  return (
    <div className="channel">
      {!whisper && scene.asked && (
        <Row who={PERSON} time="9:41">
          <p>
            <span className="mention">@{BOT}</span> {scene.asked}
          </p>
        </Row>
      )}
      <Row who={BOT} app time="9:41" whisper={whisper}>
        <Blocks blocks={scene.blocks} theme={theme} />
      </Row>
    </div>
  );
};

const Home = ({ scene, theme }) => (
  <div className="home">
    <header>
      <div className="face app">{BOT[0]}</div>
      <b>{BOT}</b>
    </header>
    <nav>
      <span className="on">Home</span>
      <span>Messages</span>
      <span>About</span>
    </nav>
    <main>
      <Blocks blocks={scene.view.blocks} theme={theme} />
    </main>
  </div>
);

const Modal = ({ scene: { view }, theme }) => (
  <div className="backdrop">
    <div className="modal">
      <header>
        <b>{view.title.text}</b>
        <i aria-hidden="true" />
      </header>
      <main>
        <Blocks blocks={view.blocks} theme={theme} />
      </main>
      <footer>
        {view.close && <span className="button">{view.close.text}</span>}
        {view.submit && <span className="button primary">{view.submit.text}</span>}
      </footer>
    </div>
  </div>
);

const Terminal = ({ scene, theme }) => <div className="terminal" dangerouslySetInnerHTML={{ __html: scene.svg[theme] }} />;

const FRAMES = { channel: Conversation, command: Conversation, why: Conversation, home: Home, modal: Modal, search: Modal, terminal: Terminal };

let root;
window.show = async (scene, theme) => {
  root?.unmount();
  const place = document.getElementById("picture");
  document.documentElement.dataset.theme = theme;
  place.style.width = scene.surface === "terminal" ? "fit-content" : `${scene.width}px`;
  place.className = scene.width <= 420 ? "phone" : "desktop";
  root = createRoot(place);
  const Frame = FRAMES[scene.surface];
  flushSync(() => root.render(<Frame scene={scene} theme={theme} />));
  await document.fonts.ready;
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
};
