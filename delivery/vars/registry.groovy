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
