// Requests to the own gateway, and the session as the page knows it: in memory, nowhere else.

import { elapsed, wait } from "./clock.mjs";

/** The interface's root. */
const root = "/api/v1";
/** How long a request may take, in ms; the gateway gives up sooner. */
const patience = 15_000;
/** How long until a beginning that failed is tried again, in ms. */
const pause = 1_000;
/** How old a ticket becomes before it is renewed, in ms. It is good for ten times as long. */
const renewal = 60_000;

let about = null;
let renewedAt = 0;

/** What the gateway says about itself. */
export const gateway = () => about;

/** The other gateways, in the order in which they are tried. */
export const otherGateways = () => about?.gateways.slice(1) ?? [];

export const session = {
    /** Session of the interface; null while nobody is signed in. */
    current: null,
    take(found) {
        this.current = found;
        renewedAt = elapsed();
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

const outcome = ({ status, body, problem }) => {
    if (body) return { type: "verified" };
    return status === 401 ? { type: "refused", reason: problem.code } : { type: "failed", code: problem.code };
};

/** Whether the gateway knows the session, as an event for `reduce`. */
export const verify = async () => outcome(await ask("GET", "/session"));

/** Gets a fresh ticket and cookie; answers as `verify` does. */
export const renew = async () => outcome(await ask("POST", "/session/renew", {}));

/** Whether the ticket is so old that it should be renewed while the gateway is there. */
export const isTicketOld = () => session.current !== null && elapsed() - renewedAt > renewal;

/**
 * Goes on at another gateway. The ticket is behind the #, which no browser sends and no log has.
 */
export function leaveFor(url) {
    const ticket = session.current?.ticket ?? arrived;
    location.replace(`${url}${location.pathname}${ticket ? `#resume=${ticket}` : ""}`);
}

/** The ticket that another gateway's page has brought along; the address forgets it at once. */
function takeTicket() {
    const ticket = location.hash.startsWith("#resume=") ? location.hash.slice("#resume=".length) : null;
    if (location.hash) history.replaceState(null, "", location.pathname);
    return ticket;
}

/** The ticket that this page came with, while the gateway has not taken it. */
let arrived = null;

/**
 * Learns about the gateway and the session, for as long as it takes.
 *
 * @param {(problem: {code: string}) => void} tell What is in the way.
 * @returns {Promise<object|null>} The session; null where somebody has to sign in.
 */
export async function start(tell) {
    arrived = takeTicket();
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
        const answer = arrived
            ? await ask("POST", "/session/resume", { ticket: arrived })
            : await ask("GET", "/session");
        if (answer.body) {
            arrived = null;
            return answer.body;
        }
        if (arrived && (answer.status === 401 || answer.status === 409)) {
            // A ticket that does not count leaves what the cookie says.
            arrived = null;
            continue;
        }
        if (answer.status === 401) return null;
        tell(answer.problem);
        await wait(pause);
    }
}

// A page that was left for another gateway and is come back to begins anew.
addEventListener("pageshow", (event) => event.persisted && location.reload());
