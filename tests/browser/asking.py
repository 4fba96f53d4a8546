"""How a test asks the frame that runs the learner's code: JavaScript for a page with ``frame.html`` beside it."""

OPEN = """() => new Promise((resolve) => {
    globalThis.answers = {};
    addEventListener("message", ({ data }) => (data.ready ? resolve() : (answers[data.id] = data)));
    const frame = Object.assign(document.createElement("iframe"), { src: "frame.html" });
    frame.setAttribute("sandbox", "allow-scripts");
    document.body.append(frame); })"""
ASK = """(question) => new Promise((resolve) => {
    document.querySelector("iframe").contentWindow.postMessage(question, "*");
    const look = () => (answers[question.id] ? resolve(answers[question.id]) : setTimeout(look, 5));
    look(); })"""
