// ProcessRuntime
