/** Log in to the container registry with a token of the pod's own identity, in memory, for one hour at most. */
void login() {
    container('gcloud') {
        sh '''\
set +x
umask 077
login=$(printf 'oauth2accesstoken:%s' "$(gcloud auth print-access-token)" | base64 | tr -d '\\n')
printf '{"auths":{"%s":{"auth":"%s"}}}' "$REGISTRY_HOST" "$login" > "$DOCKER_CONFIG/config.json"
'''
    }
}

/**
 * Shell that runs a command of crane that reads; its output is in `answer`, its messages in `problem`, its exit code in
 * $failed. crane itself repeats what a server cannot answer (5xx), but not what it limits (429).
 */
String reads(String command) {
    return """\
for pause in 1 3 9 0; do
  failed=0
  ${command} > answer 2> problem || failed=\$?
  [ "\$failed" != 0 ] && grep -q -e 'Too Many Requests' -e TOOMANYREQUESTS problem && [ "\$pause" != 0 ] || break
  sleep "\$pause"
done"""
}

/** The output of a command of crane that reads, or nothing if it goes to a file; a failure is an error of one line. */
String read(String command, String file = '') {
    return sh(returnStdout: true, script: """\
${reads(command)}
[ "\$failed" = 0 ] || {
  tail -n 1 problem >&2
  exit 1
}
${file ? "mv answer '${file}'" : 'cat answer'}
""")
}

/** The digest of a tag; empty if the tag does not exist. An answer that is neither is an error of one line. */
String digest(String reference) {
    String answer = ''
    container('crane') {
        answer = sh(returnStdout: true, script: """\
${reads("crane digest '${reference}'")}
if [ "\$failed" = 0 ]; then
  cat answer
elif ! tail -n 1 problem | grep -q -e MANIFEST_UNKNOWN -e NAME_UNKNOWN -e '404 Not Found'; then
  tail -n 1 problem
fi
""").trim()
    }
    if (answer && !(answer ==~ /sha256:[0-9a-f]{64}/)) {
        error("${reference}: ${answer}")
    }
    return answer
}
