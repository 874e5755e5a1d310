import Glibc
import LogParser

exit(LogParserCommand.main(Array(CommandLine.arguments.dropFirst())))
