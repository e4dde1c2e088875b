// Requests to the own gateway, and the session as the page knows it: in memory, nowhere else.

/** The interface's root. */
const root = "/api/v1";
/** How long a request may take, in ms. */
const patience = 10_000;
/** How long until a beginning that failed is tried again, in ms. */
const pause = 1_000;

let about = null;

/** What the gateway says about itself. */
export const gateway = () => about;

export const session = {
    /** Session of the interface; null while nobody is signed in. */
    current: null,
    take(found) {
        this.current = found;
    },
    clear() {
        this.current = null;
    },
};

/**
 * One request.
 *
 * @returns {Promise<{status: number, body?: object, problem?: {code: string}}>} Without an answer the problem is `offline`.
 */
export async function ask(method, path, body) {
    const headers = {};
    // Whatever changes something says that it is JSON, and of which session.
    if (method !== "GET") headers["Content-Type"] = "application/json";
    if (method !== "GET" && session.current) headers["X-CSRF-Token"] = session.current.csrf;
    try {
        const answer = await fetch(root + path, {
            method,
            headers,
            body: body === undefined ? undefined : JSON.stringify(body),
            credentials: "same-origin",
            cache: "no-store",
            redirect: "error",
            signal: AbortSignal.timeout(patience),
        });
        if (answer.status === 204) return { status: 204 };
        const found = await answer.json();
        if (!answer.ok) return { status: answer.status, problem: found };
        if (found.csrf) session.take(found);
        return { status: answer.status, body: found };
    } catch {
        return { status: 0, problem: { code: "offline" } };
    }
}

/** Whether the gateway knows the session, as an event for `reduce`. */
export async function verify() {
    const answer = await ask("GET", "/session");
    if (answer.body) return { type: "verified" };
    return answer.status === 401 ? { type: "refused", reason: answer.problem.code } : { type: "failed" };
}

/**
 * Goes on at another gateway. The ticket is behind the #, which no browser sends and no log has.
 */
export function leaveFor(url) {
    const ticket = session.current?.ticket;
    location.assign(`${url}${location.pathname}${ticket ? `#resume=${ticket}` : ""}`);
}

/** The ticket that another gateway's page has brought along; the address forgets it at once. */
function takeTicket() {
    const ticket = location.hash.startsWith("#resume=") ? location.hash.slice("#resume=".length) : null;
    if (location.hash) history.replaceState(null, "", location.pathname);
    return ticket;
}

const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/**
 * Learns about the gateway and the session, for as long as it takes.
 *
 * @param {(problem: {code: string}) => void} tell What is in the way.
 * @returns {Promise<object|null>} The session; null where somebody has to sign in.
 */
export async function start(tell) {
    let ticket = takeTicket();
    for (;;) {
        const answer = await ask("GET", "/gateway");
        if (answer.body) {
            about = answer.body;
            break;
        }
        tell(answer.problem);
        await wait(pause);
    }
    for (;;) {
        const answer = ticket ? await ask("POST", "/session/resume", { ticket }) : await ask("GET", "/session");
        if (answer.body) return answer.body;
        if (answer.status === 401 && !ticket) return null;
        // A ticket that does not count leaves what the cookie says.
        if (answer.status >= 400 && answer.status < 500) ticket = null;
        else tell(answer.problem);
        await wait(ticket === null && answer.status === 401 ? 0 : pause);
    }
}
