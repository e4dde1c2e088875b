import OperatorCommands

TandemCommand.runAndExit()
