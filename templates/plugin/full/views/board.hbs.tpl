{{#> layouts/app title=(t "__id__:menu")}}
{{> partials/error-summary error=error}}
<form method="post" action="/p/__id__">
  {{csrf}}
  {{> partials/field name="said" label=(t "__id__:note") value=typed.said error=(error-for error.fields "said") required=true maxlength=500}}
  <div class="form-actions"><button class="btn btn-primary" type="submit">{{t "__id__:say"}}</button></div>
</form>
{{#if notes.length}}
<ul>{{#each notes}}<li>{{said}} <span class="quiet">{{ago saidAt}}</span></li>{{/each}}</ul>
{{else}}
{{> partials/empty-state icon="message" title=(t "__id__:empty")}}
{{/if}}
{{/layouts/app}}
