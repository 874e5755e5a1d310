import Glibc
import TraceForwarder

exit(ForwarderCommand.main(Array(CommandLine.arguments.dropFirst())))
