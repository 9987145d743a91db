#include <iostream>

#include "agent/app/command_line.hpp"

namespace tocsin::app {

int command_completions() {
  std::cout << R"bash(# bash completions of tocsin: source <(tocsin completions)
_tocsin() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= verb= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --config|--by|--for|--topic|--why|--severity|--component|--root-cause|--fix|--waive|--archive-after|--exit|--note|--run) ((i++)) ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=${COMP_WORDS[i]}; elif [[ -z $verb ]]; then verb=${COMP_WORDS[i]}; fi ;;
    esac
  done
  case $previous in
    --config) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --severity) COMPREPLY=($(compgen -W "critical warning" -- "$word")); return ;;
  esac
  local words="--config --json --by --help"
  case $command in
    "") words+=" run check config incident queue drill beat notify status docs completions version --version" ;;
    config) if [[ $verb == check ]]; then COMPREPLY=($(compgen -f -- "$word")); return; fi; words+=" check show schema" ;;
    docs) words+=" checks config metrics" ;;
    notify) words+=" test" ;;
    queue) words+=" list retry drop" ;;
    drill) words+=" --for" ;;
    beat) words+=" --start --fail --log --exit --note --run --" ;;
    incident)
      case $verb in
        "") words+=" list show ack set say resolve open close" ;;
        list) words+=" --all" ;;
        open) words+=" --topic --why --severity --component" ;;
        resolve) words+=" --why" ;;
        set) words+=" probable_cause= frequency= type= recovery_estimate= working_on_it= current_step= next_step= impact=" ;;
        close) words+=" --root-cause --fix --waive --archive-after" ;;
      esac
      if [[ -n $verb && $verb != list && $verb != open && $word != -* ]]; then
        words+=" $(tocsin incident list 2>/dev/null | awk 'NR > 1 { print $1 }')"
      fi ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _tocsin tocsin
)bash";
  return to_int(ExitCode::ok);
}

}  // namespace tocsin::app
