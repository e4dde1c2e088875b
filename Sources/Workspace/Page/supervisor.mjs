// The supervisor's page: all agents, live, and why a number is as it is.

import { strings } from "./strings.mjs";
import { Connection } from "./connection.mjs";
import { ask, gateway, leaveFor, session, start, verify } from "./session.mjs";
import { clock, connectionText, element, fillTexts, make, problemText, write, writeLine } from "./view.mjs";

/** The most rows that are shown: beyond it nobody reads, and browsers get slow. */
const most = 500;

let connection = null;
let trouble = null;
/** Rows by DN; `arriving` while a snapshot comes. */
let rows = new Map();
let arriving = null;
let ahead = 0;
let isDue = false;

function showConnection() {
    const words = connection ? connectionText(connection.state, false, performance.now()) : connectionText({ phase: "idle" });
    writeLine("health", words.health);
    element("health").dataset.tone = words.tone;
    writeLine("alarm", words.alarm ?? trouble);
}

function heard(name, data) {
    if (name === "beat") {
        ahead = data.now - Date.now();
    } else if (name === "agents-snapshot") {
        if (data.first) arriving = new Map();
        for (const row of data.rows) arriving?.set(row.dn, row);
        if (!data.last || arriving === null) return;
        rows = arriving;
        arriving = null;
    } else if (name === "agents") {
        for (const row of data.rows) (arriving ?? rows).set(row.dn, row);
    }
    showSoon();
}

/** Whether what is shown is what is. */
async function checkSource() {
    const answer = await ask("GET", "/supervisor/agents?limit=1");
    if (answer.body) trouble = answer.body.unheard ? strings.unheard : null;
    showConnection();
}

/** Once a quarter of a second is often enough. */
function showSoon() {
    if (isDue) return;
    isDue = true;
    setTimeout(() => {
        isDue = false;
        showRows();
    }, 250);
}

function fits(row) {
    const dataCenter = element("dataCenter").value;
    const status = element("status").value;
    const text = element("text").value.trim().toLowerCase();
    return (
        (!dataCenter || row.dataCenter === dataCenter) &&
        (!status || row.status === status) &&
        (!text || row.agent.toLowerCase().includes(text) || row.dn.toLowerCase().includes(text))
    );
}

const badge = (status, text) => make("span", { "class": "badge", "data-status": status }, text);

function rowElement(row) {
    const since = row.since ? clock(Date.now() + ahead - row.since) : "";
    return make(
        "tr",
        {},
        make("th", { scope: "row" }, row.agent),
        make("td", {}, row.dn),
        make("td", {}, badge(row.status, strings.statuses[row.status] ?? row.status)),
        make("td", { class: "timer-cell" }, since),
        make("td", {}, [row.dataCenter, row.location].filter(Boolean).join(", ")),
        make("td", { class: "why" }, row.service ? "" : (strings.reasons[row.reason] ?? "")),
    );
}

function showRows() {
    const all = [...rows.values()];
    const found = all.filter(fits).sort((a, b) => a.agent.localeCompare(b.agent) || a.dn.localeCompare(b.dn));
    element("rows").replaceChildren(...found.slice(0, most).map(rowElement));
    const told = found.length === 0 ? strings.noAgents : strings.shown(found.length, all.length);
    write("shown", found.length > most ? `${told}. ${strings.more(most)}` : told);
    showCounts(all);
}

function showCounts(all) {
    const counts = new Map();
    for (const row of all) {
        const of = counts.get(row.dataCenter) ?? new Map();
        of.set(row.status, (of.get(row.status) ?? 0) + 1);
        counts.set(row.dataCenter, of);
    }
    element("counts").replaceChildren(
        ...[...counts].sort().map(([dataCenter, of]) =>
            make(
                "li",
                {},
                make("strong", {}, dataCenter),
                ...[...of].map(([status, count]) => badge(status, `${strings.statuses[status] ?? status} ${count}`)),
            ),
        ),
    );
}

element("filterForm").addEventListener("submit", (event) => event.preventDefault());
element("filterForm").addEventListener("input", showSoon);

element("explainForm").addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = await ask("GET", `/supervisor/dns/${encodeURIComponent(element("number").value.trim())}`);
    if (answer.problem) return void write("explanation", problemText(answer.problem));
    const { dn, service, owner, dataCenter, why } = answer.body;
    const parts = [service ? strings.inService(dn) : strings.outOfService(dn), why];
    if (owner) parts.push(strings.ownedBy(owner, dataCenter));
    write("explanation", parts.filter(Boolean).join(" "));
});

function begin(found) {
    if (!found?.supervisor) {
        trouble = found ? strings.problems["not-supervisor"] : strings.problems["no-session"];
        return showConnection();
    }
    trouble = null;
    write("who", `${found.agent} · ${gateway().gateway}`);
    const centers = new Set(gateway().gateways.map((each) => each.dataCenter));
    element("dataCenter").append(...[...centers].sort().map((name) => make("option", { value: name }, name)));
    const statuses = Object.entries(strings.statuses);
    element("status").append(...statuses.map(([value, words]) => make("option", { value }, words)));
    element("columns").replaceChildren(
        ...Object.values(strings.columns).map((words) => make("th", { scope: "col" }, words)),
    );
    element("filterForm").setAttribute("aria-label", strings.filter);
    element("agentsView").hidden = false;
    element("explainView").hidden = false;
    element("supervisorHeading").focus();
    connection = new Connection({
        path: "/api/v1/supervisor/events",
        graceMs: gateway().desktopGraceMs,
        others: gateway().gateways.map((each) => each.url).filter((url) => url !== location.origin),
        verify,
        heard,
        changed: showConnection,
        move: leaveFor,
        ended: (reason) => {
            trouble = reason === "too-many-tabs" ? strings.tooManyTabs : (strings.endings[reason] ?? strings.problem);
            session.clear();
            showConnection();
        },
    });
    connection.start();
    setInterval(showSoon, 5_000);
    setInterval(checkSource, 10_000);
}

fillTexts();
begin(
    await start((problem) => {
        trouble = problemText(problem);
        showConnection();
    }),
);
