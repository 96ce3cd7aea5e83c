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

/** The digest of a tag; empty if the tag does not exist. An answer that is neither is an error of one line. */
String digest(String reference) {
    String answer = ''
    container('crane') {
        answer = sh(returnStdout: true, script: """\
if crane digest '${reference}' > digest 2> problem; then
  cat digest
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
