// All English of the page. Values are texts, or functions of what they tell.

const seconds = (count) => (count === 1 ? "1 second" : `${count} seconds`);

/** A span in words, for screen readers: minutes are enough. */
const minutes = (milliseconds) => {
    const count = Math.floor(milliseconds / 60_000);
    if (count < 1) return "less than a minute";
    if (count === 1) return "1 minute";
    if (count < 120) return `${count} minutes`;
    return `${Math.floor(count / 60)} hours`;
};

export const strings = {
    // Signing in
    product: "Tandem",
    signInHeading: "Sign in",
    agent: "Agent ID",
    password: "Password",
    signIn: "Sign in",
    signOut: "Sign out",

    // The line
    lineHeading: "Choose your line",
    lineHelp: "The number that you take calls on today.",
    otherLine: "Another number",
    useLine: "Use this line",
    changeLine: "Change line",
    takeBack: "Take it back",
    line: (number) => `Line ${number}`,
    lineKinds: { sip: "Telephone", pstn: "Outside number" },

    // The desk
    deskHeading: "Your status",
    ready: "Ready",
    notReady: "Not ready",
    wrapUp: "After-call work",
    reasonHeading: "Why are you not ready?",
    noReason: "No reason",
    cancel: "Cancel",
    statuses: {
        "unknown": "Unknown",
        "out-of-service": "Out of service",
        "logged-out": "Logged out",
        "not-ready": "Not ready",
        "ready": "Ready",
        "reserved": "A call is on its way",
        "ringing": "Ringing",
        "busy": "In a call",
        "after-call-work": "After-call work",
    },
    hints: {
        "unknown": "The cluster cannot tell what your line is doing.",
        "out-of-service": "No calls can reach you.",
        "logged-out": "Choose a line to take calls.",
        "not-ready": "You get no calls.",
        "ready": "The next call can come to you.",
        "reserved": "It rings in a moment.",
        "ringing": "Answer at your telephone.",
        "busy": "Hang up at your telephone when you are done.",
        "after-call-work": "You get no calls until it is over, or until you are ready.",
    },
    withReason: (word, reason) => `${word}: ${reason}`,
    since: (milliseconds) => `for ${minutes(milliseconds)}`,
    endsIn: (clock) => `ends in ${clock}`,

    // Calls
    callsHeading: "Calls",
    noCalls: "No call at the moment.",
    ringing: "Ringing",
    talking: "Talking",
    calling: "Calling",
    hiddenCaller: "Hidden number",
    unknownParty: "Unknown number",
    callFor: (routingPoint) => `for ${routingPoint}`,
    incoming: (caller) => `Incoming call from ${caller}. Answer at your telephone.`,

    // The connection
    connecting: "Connecting",
    connected: "Connected",
    reconnecting: (left) => `Reconnecting. Your line stays in service for ${seconds(left)} more.`,
    reconnectingIdle: "Reconnecting",
    moving: (left) => `Looking for another gateway. Your line stays in service for ${seconds(left)} more.`,
    movingIdle: "Looking for another gateway",
    lineOut: "Your line is out of service. It comes back as soon as you are connected.",
    lineAdrift: "The cluster is finding your line another node.",
    lineLost: "Your line is out of service. The cluster goes on trying to get it back.",
    lineOutBecause: (why) => `Your line is out of service: ${why}`,
    superseded: "Your line was taken over elsewhere.",
    tooManyTabs: "This tab is closed because you have opened four others. Go on there, or reload this one.",
    endings: {
        "logged-out": "You are signed out.",
        "expired": "Your session has ended. Sign in again.",
        "revoked": "Your account has changed. Sign in again.",
        "superseded": "Your session goes on elsewhere. Sign in here to take it.",
    },

    // Why a line is out of service, by the cluster's words
    reasons: {
        "never-registered": "nobody has used it yet.",
        "unregistered": "it was signed off.",
        "expired": "its telephone has not been heard for too long.",
        "flow-lost": "the connection to its telephone broke.",
        "desktop-gone": "its page was gone for too long.",
        "owner-unreachable": "the node that has it cannot be reached.",
        "restarted": "its node has just started again.",
        "draining": "its node is about to stop.",
        "not-provisioned": "it is no longer set up.",
        "superseded": "it was taken over elsewhere.",
    },

    // Answers that are no
    problems: {
        "wrong-credentials": "Agent ID or password is wrong.",
        "too-many-attempts": "Too many attempts. Wait a little and try again.",
        "too-many-requests": "That was too fast. Wait a little and try again.",
        "busy": "Many people sign in at once. Try again in a moment.",
        "no-session": "Sign in to go on.",
        "expired": "Your session has ended. Sign in again.",
        "logged-out": "You are signed out.",
        "revoked": "Your account has changed. Sign in again.",
        "cannot-verify": "No node can be reached at the moment. Trying again.",
        "dn-not-yours": "You may not use this number.",
        "unknown-dn": "There is no such number.",
        "dn-in-use": "Another agent is logged in on this number.",
        "phone-not-registered": "The telephone of this number is not registered. Switch it on first.",
        "logged-in-elsewhere": "You are logged in on another number. Log out there first.",
        "not-seated": "Choose a line first.",
        "line-lost": "Your line is out of service. Try again when it is back.",
        "no-node": "No node can be reached at the moment. Try again.",
        "not-written": "The node could not keep it. Try again.",
        "unknown-outcome": "It is not certain whether that was done. Look at your status.",
        "unknown-reason": "This reason is not offered any more.",
        "not-supervisor": "This page is for supervisors.",
        "offline": "The gateway did not answer. Trying again.",
    },
    problem: "That did not work. Try again.",

    // Keys
    keys: "Keys: R is ready, N is not ready.",
    help: "Telephone: answer and hang up there. This page shows your calls and tells the cluster whether you take them.",

    // The supervisor's page
    supervisor: "Agents",
    desk: "My desk",
    supervisorHeading: "Agents",
    filter: "Filter",
    dataCenter: "Data center",
    allDataCenters: "All data centers",
    status: "Status",
    allStatuses: "All",
    search: "Agent or number",
    columns: { agent: "Agent", dn: "Number", status: "Status", since: "Since", dataCenter: "Data center", why: "Why" },
    shown: (count, all) => (count === all ? `${all} agents` : `${count} of ${all} agents`),
    more: (count) => `Only the first ${count} are shown. Filter to see others.`,
    noAgents: "Nobody fits.",
    unheard: "The Stat Server is not heard. What is shown may be old.",
    explainHeading: "A number",
    explainHelp: "Why a number is in service or not, also where nobody is logged in.",
    number: "Number",
    explain: "Explain",
    inService: (dn) => `${dn} is in service.`,
    outOfService: (dn) => `${dn} is out of service.`,
    ownedBy: (owner, dataCenter) => `Its node is ${owner}, in ${dataCenter}.`,
};
