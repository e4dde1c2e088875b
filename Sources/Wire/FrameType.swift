/// The message types above the T-Library's own numeric ids.
package enum FrameType {
    package static let hello: UInt16 = 1000
    package static let problem: UInt16 = 1001
    package static let proof: UInt16 = 1002

    static let meshHello: UInt16 = 1100
    static let syncBegin: UInt16 = 1101
    static let records: UInt16 = 1102
    static let syncEnd: UInt16 = 1103
    static let claims: UInt16 = 1104
    static let snapshotRequest: UInt16 = 1105
    static let ping: UInt16 = 1106
    static let pong: UInt16 = 1107
    package static let proxiedRequest: UInt16 = 1110
    package static let proxiedAnswer: UInt16 = 1111
    package static let sip: UInt16 = 1112
    package static let clientGone: UInt16 = 1113
    package static let callReport: UInt16 = 1114
    package static let callsRecounted: UInt16 = 1115
    package static let capacity: UInt16 = 1116

    static let configure: UInt16 = 1200
    static let provision: UInt16 = 1201
    static let start: UInt16 = 1202
    static let stop: UInt16 = 1203
    static let reportRequest: UInt16 = 1204
    static let dnRequest: UInt16 = 1205
    static let dnListRequest: UInt16 = 1206
    static let adopt: UInt16 = 1207
    static let credentials: UInt16 = 1208
    static let certificates: UInt16 = 1209
    static let callListRequest: UInt16 = 1210
    static let clientSecrets: UInt16 = 1211
    static let agentListRequest: UInt16 = 1212
    static let routeQuestion: UInt16 = 1213
    static let provisionAgents: UInt16 = 1214
    static let takeOver: UInt16 = 1215
    static let handOver: UInt16 = 1216
    static let statisticsRequest: UInt16 = 1217
    static let reachRequest: UInt16 = 1218
    static let historyRequest: UInt16 = 1219

    static let ready: UInt16 = 1220
    static let failed: UInt16 = 1221
    static let heartbeat: UInt16 = 1222
    static let report: UInt16 = 1223
    static let dnReport: UInt16 = 1224
    static let dnList: UInt16 = 1225
    package static let introduction: UInt16 = 1226
    static let linkChanged: UInt16 = 1227
    static let clientCutOff: UInt16 = 1228
    static let callList: UInt16 = 1229
    static let agentList: UInt16 = 1230
    static let routeAnswer: UInt16 = 1231
    static let statisticsAnswer: UInt16 = 1237
    static let reachReport: UInt16 = 1238
    static let history: UInt16 = 1239

    static let succeed: UInt16 = 1240
    static let tookOver: UInt16 = 1241
    static let servesOn: UInt16 = 1242
    static let relays: UInt16 = 1243
    static let drain: UInt16 = 1244
    static let standDown: UInt16 = 1245
    static let lendSockets: UInt16 = 1250
    package static let lentSockets: UInt16 = 1251
    static let applyTopology: UInt16 = 1252
    static let topologyApplied: UInt16 = 1253
    static let agentAccounts: UInt16 = 1254
    static let sessionKeys: UInt16 = 1255

    package static let statSubscribe: UInt16 = 1400
    package static let statQuery: UInt16 = 1401
    package static let statPointQuery: UInt16 = 1402
    package static let statGroupQuery: UInt16 = 1403
    package static let statRows: UInt16 = 1410
    package static let statStatistics: UInt16 = 1411
    package static let statPointStatistics: UInt16 = 1412
    package static let statGroupStatistics: UInt16 = 1413

    static let handoverOffer: UInt16 = 1500
    static let handoverPiece: UInt16 = 1501
    static let handoverTold: UInt16 = 1502
    package static let handoverDescriptors: UInt16 = 1503
    static let handoverCommit: UInt16 = 1504
    static let handoverReady: UInt16 = 1510
    static let handoverPrepared: UInt16 = 1511
    static let handoverCommitted: UInt16 = 1512

    static let statusRequest: UInt16 = 1300
    static let operatorDNRequest: UInt16 = 1301
    static let operatorDNListRequest: UInt16 = 1302
    static let eventsRequest: UInt16 = 1303
    static let operatorCallListRequest: UInt16 = 1304
    static let operatorAgentListRequest: UInt16 = 1305
    static let operatorRouteQuestion: UInt16 = 1306
    static let operatorStatisticsRequest: UInt16 = 1310
    static let operatorReachRequest: UInt16 = 1311
    static let operatorHistoryRequest: UInt16 = 1312

    static let restartRequest: UInt16 = 1313
    static let rolloutRequest: UInt16 = 1314
    static let operatorDrain: UInt16 = 1315

    static let status: UInt16 = 1320
    static let dnDetails: UInt16 = 1321
    static let operatorDNList: UInt16 = 1322
    static let refusal: UInt16 = 1323
    static let events: UInt16 = 1324
    static let operatorCallList: UInt16 = 1325
    static let operatorAgentList: UInt16 = 1326
    static let operatorRouteAnswers: UInt16 = 1327
    static let operatorStatistics: UInt16 = 1330
    static let operatorReach: UInt16 = 1331
    static let operatorHistories: UInt16 = 1332
    static let rollout: UInt16 = 1333
    static let done: UInt16 = 1334

    static let appliedRequest: UInt16 = 1308
    static let topologyTextRequest: UInt16 = 1309
    static let topologyPiece: UInt16 = 1316
    static let planInputsRequest: UInt16 = 1317
    static let applyRequest: UInt16 = 1318
    static let changeRequest: UInt16 = 1319
    static let planInputs: UInt16 = 1336
    static let topologyText: UInt16 = 1337
    static let changeStatus: UInt16 = 1338
    static let appliedTopologies: UInt16 = 1339

    static let reloadRequest: UInt16 = 1350
    static let reloaded: UInt16 = 1351

    package static let decisionSegment: UInt16 = 1360
    static let decisionTopology: UInt16 = 1361
    static let reconcilerState: UInt16 = 1362
    static let decision: UInt16 = 1363
    static let decisionSeal: UInt16 = 1364
}

/// Why a frame could not be read. The connection that brought it is closed; no other is harmed.
package enum WireError: Error, Equatable, Sendable {
    case malformed(type: UInt16)
    case unknownType(UInt16)
    /// A count in the message is over its limit.
    case tooMany(type: UInt16)
    /// A field has a value that it cannot have.
    case badValue(type: UInt16, field: StaticStringBox)

    package var sentence: String {
        switch self {
        case .malformed(let type): "a message of type \(type) could not be read"
        case .unknownType(let type): "message type \(type) is not known here"
        case .tooMany(let type): "a message of type \(type) has more entries than it may"
        case .badValue(let type, let field): "a message of type \(type) has a bad \(field.text)"
        }
    }
}

/// The name of a field, comparable.
package struct StaticStringBox: Equatable, Sendable, ExpressibleByStringLiteral {
    package let text: String

    package init(stringLiteral value: String) {
        text = value
    }
}
