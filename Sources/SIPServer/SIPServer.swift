// SIPServer
