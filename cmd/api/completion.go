package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// completionCommand prints the scripts that packages install; who has the program alone evaluates
// them: `source <(perch completion bash)`.
type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"One of ${enum}."`
}

// Run prints the script of a shell. Each script finds the command first, by the words before the
// cursor, and then offers what this command takes.
func (c completionCommand) Run(k *kong.Context) error {
	list := commands(k.Model)
	write := map[string]func(io.Writer, []command){"bash": completeBash, "zsh": completeZsh, "fish": completeFish}[c.Shell]
	text := &strings.Builder{}
	write(text, list)
	_, err := io.WriteString(k.Stdout, text.String())
	return err
}

// quote is a text as one word of any of the shells.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// paths are the commands as alternatives of a case, in which a shell walks from word to word.
func paths(list []command, pattern string) string {
	var all []string
	for _, c := range list[1:] {
		all = append(all, fmt.Sprintf(pattern, c.path))
	}
	return strings.Join(all, "|")
}

// words are the commands below c and its flags.
func words(c command) string {
	var all []string
	for _, n := range c.subcommands() {
		all = append(all, n.Name)
	}
	if c.node.Parent == nil {
		all = append(all, "--version")
	}
	for _, f := range c.flags {
		all = append(all, "--"+f.Name)
	}
	for _, p := range c.node.Positional {
		if p.Enum != "" {
			all = append(all, p.EnumSlice()...)
		}
	}
	return strings.Join(all, " ")
}

func completeBash(w io.Writer, list []command) {
	fmt.Fprintf(w, `# bash completion of perch
_perch() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=perch i
	# Bash makes words of --flag=value: the flag, "=" and the value.
	if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		case "$command ${COMP_WORDS[i]}" in
		%s) command="$command ${COMP_WORDS[i]}" ;;
		esac
	done
	COMPREPLY=()
	case "$command $prev" in
`, paths(list, `"%s"`))
	for _, c := range list {
		for _, f := range c.flags {
			switch {
			case len(choices(f)) > 0:
				fmt.Fprintf(w, "\t\"%s --%s\") COMPREPLY=($(compgen -W %s -- \"$cur\")); return ;;\n", c.path, f.Name, quote(strings.Join(choices(f), " ")))
			case takesFile(f):
				fmt.Fprintf(w, "\t\"%s --%s\") compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n", c.path, f.Name)
			case !f.IsBool():
				fmt.Fprintf(w, "\t\"%s --%s\") return ;;\n", c.path, f.Name)
			}
		}
	}
	fmt.Fprint(w, "\tesac\n\tcase $command in\n")
	for _, c := range list {
		fmt.Fprintf(w, "\t\"%s\") COMPREPLY=($(compgen -W %s -- \"$cur\")) ;;\n", c.path, quote(words(c)))
	}
	fmt.Fprint(w, "\tesac\n}\ncomplete -F _perch perch\n")
}

func completeZsh(w io.Writer, list []command) {
	fmt.Fprintf(w, `#compdef perch
# zsh completion of perch
_perch() {
	local command=perch word
	local -a commands
	for word in ${words[2,CURRENT-1]}; do
		case "$command $word" in
		(%s) command="$command $word" ;;
		esac
	done
	case $command in
`, paths(list, `"%s"`))
	// A description may have neither brackets nor colons in the argument of _arguments.
	plain := strings.NewReplacer("[", "(", "]", ")", ":", " ")
	for _, c := range list {
		fmt.Fprintf(w, "\t(\"%s\")\n\t\tcommands=(", c.path)
		for _, n := range c.subcommands() {
			fmt.Fprint(w, " ", quote(n.Name+":"+plain.Replace(summary(n.Help))))
		}
		for _, p := range c.node.Positional {
			for _, value := range p.EnumSlice() {
				fmt.Fprint(w, " ", quote(value))
			}
		}
		fmt.Fprint(w, ")\n\t\t(( $#commands )) && _describe -t commands command commands\n\t\t_arguments '*: :( )'")
		if c.node.Parent == nil {
			fmt.Fprint(w, " '--version[Print the version]'")
		}
		for _, f := range c.flags {
			fmt.Fprint(w, " ", quote(zshFlag(f, plain)))
		}
		fmt.Fprint(w, "\n\t\t;;\n")
	}
	fmt.Fprint(w, "\tesac\n}\nif [ \"$funcstack[1]\" = _perch ]; then _perch \"$@\"; else compdef _perch perch; fi\n")
}

// zshFlag is a flag as _arguments wants it.
func zshFlag(f *kong.Flag, plain *strings.Replacer) string {
	text := "--" + f.Name
	if f.IsCumulative() {
		text = "*" + text
	}
	help := "[" + plain.Replace(summary(f.Help)) + "]"
	switch {
	case f.IsBool():
		return text + help
	case len(choices(f)) > 0:
		return text + "=" + help + ":value:(" + strings.Join(choices(f), " ") + ")"
	case takesFile(f):
		return text + "=" + help + ":file:_files"
	}
	return text + "=" + help + ":value: "
}

func completeFish(w io.Writer, list []command) {
	fmt.Fprintf(w, `# fish completion of perch
function __perch_command
	set -l command perch
	set -l words (commandline -opc)
	for word in $words[2..-1]
		switch "$command $word"
			case %s
				set command "$command $word"
		end
	end
	echo $command
end
complete -c perch -f
`, strings.ReplaceAll(paths(list, `"%s"`), "|", " "))
	for _, c := range list {
		at := fmt.Sprintf("complete -c perch -n 'test (__perch_command) = \"%s\"'", c.path)
		for _, n := range c.subcommands() {
			fmt.Fprintf(w, "%s -a %s -d %s\n", at, n.Name, quote(summary(n.Help)))
		}
		for _, p := range c.node.Positional {
			if p.Enum != "" {
				fmt.Fprintf(w, "%s -a %s\n", at, quote(strings.Join(p.EnumSlice(), " ")))
			}
		}
		if c.node.Parent == nil {
			fmt.Fprintf(w, "%s -l version -d 'Print the version'\n", at)
		}
		for _, f := range c.flags {
			value := ""
			switch {
			case len(choices(f)) > 0:
				value = " -x -a " + quote(strings.Join(choices(f), " "))
			case takesFile(f):
				value = " -r -F"
			case !f.IsBool():
				value = " -x"
			}
			fmt.Fprintf(w, "%s -l %s%s -d %s\n", at, f.Name, value, quote(summary(f.Help)))
		}
	}
}
